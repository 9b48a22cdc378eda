"""The twin as a service: it answers requests, has their models uploaded, and collects metrics.

It waits for its database and its broker as long as they are away, at the start and later. One line is logged per event.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from twinbench.adapters.environment import Settings
from twinbench.adapters.mqtt import Message, MqttClient
from twinbench.adapters.termination import asked_to_end, wait_for
from twinbench.core import topics
from twinbench.core.errors import LabError, RequestError, UnreachableError
from twinbench.core.request import validate_document
from twinbench.twin.collector import Collector
from twinbench.twin.delivery import Deliveries, UploadPool
from twinbench.twin.registry import Registry
from twinbench.twin.store import TwinStore, migrate

__all__ = ["RequestDesk", "run"]

log = logging.getLogger(__name__)

_LONGEST_PAUSE_S = 10.0
_Result = TypeVar("_Result")


class RequestDesk:
    """Answers test requests: accepted with the models that follow, or refused with a reason.

    An accepted request is kept before it is answered, so its models follow even if the twin ends in between.
    """

    def __init__(
        self,
        store: TwinStore,
        registry: Registry,
        client: MqttClient,
        *,
        schema: Mapping[str, Any],
        on_accepted: Callable[[], None],
    ) -> None:
        self._store, self._registry, self._client = store, registry, client
        self._schema, self._on_accepted = schema, on_accepted

    def take(self, message: Message) -> None:
        """Handle a request."""
        request_uuid = message.topic.rpartition("/")[2]
        try:
            answer = self._accept(request_uuid, message)
        except UnreachableError as error:
            log.warning("request=%s not answered, it will be sent again: %s", request_uuid, error)
            return
        except LabError as error:
            answer = {"uuid": request_uuid, "status": "refused", "reason": str(error), "models": []}
        self._client.post(topics.request_ack(request_uuid), answer, qos=1)
        log.info("request=%s %s %s", request_uuid, answer["status"], answer["reason"])

    def _accept(self, request_uuid: str, message: Message) -> dict[str, Any]:
        document = message.document()
        findings = validate_document(document, self._schema)
        if findings:
            raise RequestError("The request is malformed: " + "; ".join(map(str, findings)))
        if document["test_UUID"] != request_uuid or str(UUID(request_uuid)) != request_uuid:
            raise RequestError(f"test_UUID is {document['test_UUID']!r}, but the topic is of {request_uuid!r}.")
        bundle = self._registry.choose(test_name=document["test_name"], uut=document["test_UUT"])
        answer = {"uuid": request_uuid, "status": "accepted", "reason": "", "models": bundle.described()}
        self._store.note_request(request_uuid, document, answer)
        self._on_accepted()
        return answer


def run(settings: Settings) -> None:
    """Run the twin until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: If a setting is missing or wrong.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stopped = asked_to_end()
    schema = json.loads((settings.include / "schemas" / "twin_request.schema.json").read_text())
    registry = Registry(Path(settings.require("TWINBENCH_TWIN_REGISTRY")))
    pool = UploadPool(settings.sftp_url, key=settings.sftp_key, known_hosts=settings.sftp_known_hosts)
    _patiently(lambda: migrate(settings.database_url), stopped)
    store = TwinStore(settings.database_url)
    deliveries = Deliveries(store, registry, pool)
    opened = _patiently(lambda: _open(settings, store, registry, deliveries, schema), stopped)
    if opened is None:
        return
    client, collector = opened
    deliveries.start()
    log.info("twin ready")
    wait_for(stopped)
    log.info("twin ends")
    collector.stop()
    client.close()
    deliveries.stop()
    store.close()


def _open(
    settings: Settings, store: TwinStore, registry: Registry, deliveries: Deliveries, schema: Mapping[str, Any]
) -> tuple[MqttClient, Collector]:
    client = MqttClient(settings.mqtt_url, ca=settings.mqtt_ca, client_id="twin", clean_session=False)
    desk = RequestDesk(store, registry, client, schema=schema, on_accepted=deliveries.look)
    collector = Collector(store, client, metrics_topic=settings.metrics_topic)
    client.subscribe(topics.request(), desk.take)
    client.subscribe(settings.metrics_topic, collector.take)
    client.open()
    collector.start()
    return client, collector


def _patiently(attempt: Callable[[], _Result], stopped: threading.Event) -> _Result | None:
    """Try until it works or the program is to end; None then."""
    pause_s = 0.5
    while not stopped.is_set():
        try:
            return attempt()
        except UnreachableError as error:
            log.warning("twin waits: %s", error)
            stopped.wait(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
    return None
