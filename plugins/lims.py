"""Shows the LIMS inside Airflow: pages and REST below /lims, in its navigation and on each run. The only file here.

See docs/adr/0004: Airflow imports every file of this folder under its bare name.
"""

from functools import cached_property
from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin


class LimsPlugin(AirflowPlugin):
    """The laboratory in Airflow."""

    name = "lims"
    external_views: ClassVar[list[dict[str, Any]]] = [
        {
            "name": "Laboratory",
            "href": "lims/",
            "destination": "nav",
            "url_route": "lims",
            "icon": "/lims/static/menu.svg",
        },
        {
            "name": "Test request",
            "href": "lims/requests/by-run/{RUN_ID}",
            "destination": "dag_run",
            "url_route": "test_request",
        },
    ]

    @cached_property
    def operator_extra_links(self) -> list[Any]:
        """Buttons from a task to the request's page and results."""
        from twinbench.orchestration.links import extra_links

        return extra_links()

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:
        """Built on demand: every Airflow process loads plugins, only the API server serves them."""
        from twinbench.orchestration.lims import lims_app

        return [{"name": "LIMS", "url_prefix": "/lims", "app": lims_app()}]
