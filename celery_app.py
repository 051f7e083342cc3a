"""Celery's application: names the broker for both nodes, and imports neither.

The node that trades is started with `celery -A celery_app worker -P threads -c 4 -Q engine`, work that keeps a
processor busy is done by `celery -A celery_app worker -P prefork -Q compute`.
"""

from __future__ import annotations

from celery import Celery

from core.config import load_config
from core.redis_names import BROKER_PREFIX
from core.task_names import ACCOUNT_CHECK, AUDIT_COMPARE, DOORBELLS, NODE_CANARY, QUEUE_ENGINE

_REDIS = load_config().redis.url.get_secret_value()
_TRANSPORT = {
    "visibility_timeout": 120,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 3,
    "health_check_interval": 5,
    "global_keyprefix": BROKER_PREFIX,
}

#: Imported by workers only.
_NAMES = ("strategy", "follower", "account", "audit", "compute")
TASKS = ["tasks.node", "tasks.panel", *(f"tasks.{name}_task" for name in _NAMES)]

app = Celery("ares", broker=_REDIS, backend=_REDIS, include=TASKS)
app.conf.update(
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    task_default_queue=QUEUE_ENGINE,
    task_routes={name: {"queue": QUEUE_ENGINE} for name in (*DOORBELLS, ACCOUNT_CHECK, NODE_CANARY, AUDIT_COMPARE)},
    task_create_missing_queues=True,
    # Short tasks that may run twice: a lost worker's go to another.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_time_limit=60,
    task_ignore_result=True,
    task_send_sent_event=False,
    result_expires=300,
    worker_prefetch_multiplier=1,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    worker_send_task_events=True,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options=_TRANSPORT,
    result_backend_transport_options={"global_keyprefix": BROKER_PREFIX},
    beat_schedule={"audit": {"task": AUDIT_COMPARE, "schedule": 30.0, "options": {"expires": 25}}},
    timezone="UTC",
    enable_utc=True,
)
