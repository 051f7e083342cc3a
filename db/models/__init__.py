"""Every table. Each row says whose it is; what an instance did says which instance."""

from __future__ import annotations

from db.models._fields import Row
from db.models.copy_records import FollowCommand, FollowResult, TrackingError, TradeLog
from db.models.following import FollowerAccount, FollowRelationship, FollowTarget, VirtualPosition
from db.models.instances import DayMetrics, EquityPoint, StrategyInstance, StrategyState
from db.models.masters import Master, MasterPosition, MasterSignal
from db.models.operations import AuditHead, AuditRecord, Command, Cursor, PaperBook, PaperRecord
from db.models.people import Account, User
from db.models.platform import LoginLink, LoginSession, Node, PlatformSetting
from db.models.runs import HistoryImport, HistoryImportPart, HistoryPart, HistoryRow, RunChunk, RunFile, RunRow
from db.models.trading import FillRow, LedgerEntry, OrderRow, PostingRow

METADATA = Row.metadata

__all__ = [
    "METADATA",
    "Account",
    "AuditHead",
    "AuditRecord",
    "Command",
    "Cursor",
    "DayMetrics",
    "EquityPoint",
    "FillRow",
    "FollowCommand",
    "FollowRelationship",
    "FollowResult",
    "FollowTarget",
    "FollowerAccount",
    "HistoryImport",
    "HistoryImportPart",
    "HistoryPart",
    "HistoryRow",
    "LedgerEntry",
    "LoginLink",
    "LoginSession",
    "Master",
    "MasterPosition",
    "MasterSignal",
    "Node",
    "OrderRow",
    "PaperBook",
    "PaperRecord",
    "PlatformSetting",
    "PostingRow",
    "RunChunk",
    "RunFile",
    "RunRow",
    "StrategyInstance",
    "StrategyState",
    "TrackingError",
    "TradeLog",
    "User",
    "VirtualPosition",
]
