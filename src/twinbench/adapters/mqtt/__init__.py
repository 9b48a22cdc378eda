"""MQTT 3.1.1 over paho: a client that reconnects by itself, and a courier whose messages survive everything.

What is said here holds for NATS (the local lab), Mosquitto (servers) and RabbitMQ (the digital twin; it grants QoS 1
where 2 is asked, which is taken).

A client with a persistent session publishes what it says only once (a status, an answer) with QoS 1. With QoS 2 a
broker takes the first messages of a restarted program for repetitions of those that its predecessor left half sent,
because paho counts from 1 again, and drops them. Streams behind an outbox may use QoS 2: what they repeat mends this.
"""

from twinbench.adapters.mqtt.client import MqttClient, connect
from twinbench.adapters.mqtt.connection import Will
from twinbench.adapters.mqtt.courier import Courier
from twinbench.adapters.mqtt.message import Handler, Message
from twinbench.adapters.mqtt.window import Delivery
from twinbench.adapters.mqtt.wire import LabWire

__all__ = ["Courier", "Delivery", "Handler", "LabWire", "Message", "MqttClient", "Will", "connect"]
