/** The shapes of the wire by the names the page uses; the rest of the page knows no generated name. */
export type {
  Account,
  AccountCreate,
  Audit as AuditRecord,
  Bar,
  EquityPoint,
  Exchange,
  Fill,
  Kind as StrategyKind,
  LiveStatus,
  Node,
  Order,
  Pnl,
  Preview,
  PreviewOrder,
  Session,
  Strategy,
  StrategyCreate,
  StrategyEdit,
} from "./generated";
export type { StreamState } from "./events";
