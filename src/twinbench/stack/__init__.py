"""The local lab without Docker: one module per service, supervised together.

site          where the lab's files, ports and secrets live
credentials   passwords, keys and certificates, generated at first start
service       what the supervisor needs to know of a service
database      PostgreSQL             broker    MQTT (NATS)
pool          SFTP server            airflow   api-server, scheduler, dag-processor, triggerer
parties       reference twin and bench agent
supervision   supervisord: configuration and remote control
lab           up, down, status, logs
demo          one request end to end, and its printed account
"""
