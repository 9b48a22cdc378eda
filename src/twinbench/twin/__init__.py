"""The reference digital twin: a program of its own, which the lab meets over MQTT and SFTP only.

It answers test requests from a registry of models, uploads what fits, and stores the metrics that benches report.
``python -m twinbench.twin`` runs it.
"""
