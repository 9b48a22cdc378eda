"""Waits for the digital twin's model bundle on SFTP, without holding a worker slot.

The waiting itself is the SFTP provider's own deferrable sensor. It is made when the task runs and not when the DAG is
parsed, because importing the provider costs half a second that every parse would pay.
"""

from __future__ import annotations

import posixpath
from typing import Any, NoReturn

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException, TaskDeferralTimeout

__all__ = ["BundleSensor"]

# inter_connection.json (D6.4) and connections.json (D6.3); it is uploaded last.
_LAST_FILE = "*connection*.json"


class BundleSensor(BaseOperator):
    """Succeeds when the request's pool folder holds its interconnection file.

    Args:
        connection: Airflow connection of the SFTP server.
    """

    def __init__(self, *, connection: str = "pool", **arguments: Any) -> None:
        super().__init__(**arguments)
        self.connection = connection

    def execute(self, context: Context) -> None:
        """Defer to the provider's sensor."""
        from urllib.parse import urlsplit

        from airflow.providers.sftp.sensors.sftp import SFTPSensor

        from twinbench.adapters.environment import Settings
        from twinbench.core.errors import ConfigurationError
        from twinbench.orchestration.steps import request_of

        settings = Settings.from_environment()
        try:
            pool, patience_s = urlsplit(settings.sftp_url).path, settings.bundle_patience_s
        except ConfigurationError as error:
            self._give_up(context, error)
        sensor = SFTPSensor(
            task_id=f"{self.task_id}_on_sftp",
            path=posixpath.join(pool, request_of(dict(context))),
            file_pattern=_LAST_FILE,
            sftp_conn_id=self.connection,
            poke_interval=1.0,
            timeout=patience_s,
            deferrable=True,
        )
        sensor.execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> None:
        """Take the trigger's word.

        Raises:
            AirflowFailException: If the SFTP server refuses us; a wrong key does not mend itself.
        """
        if not event or event.get("status") != "success":
            from twinbench.core.errors import ConfigurationError

            reason = (event or {}).get("message", "the trigger sent no event")
            self._give_up(
                context,
                ConfigurationError(
                    f"The SFTP server cannot be watched: {reason} Check the Airflow connection "
                    f"{self.connection!r} (host, user, key_file, host_key), then clear this task."
                ),
            )
        self.log.info("The bundle is complete: %s", event)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Resume; a wait that ended without the bundle is explained by what lies in the pool."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except TaskDeferralTimeout:
            from twinbench.core.errors import BundleError
            from twinbench.orchestration.opening import open_lab
            from twinbench.orchestration.steps import request_of
            from twinbench.workflow.intake import say_what_is_missing

            self._give_up(context, BundleError(say_what_is_missing(open_lab(), request_of(dict(context)))))

    def _give_up(self, context: Context, error: Any) -> NoReturn:
        from twinbench.orchestration.opening import open_lab
        from twinbench.orchestration.steps import diagnose, request_of

        diagnose(open_lab(), request_of(dict(context)), stage=self.task_id, error=error)
        raise AirflowFailException(str(error)) from error
