import {
  DeleteFrom,
  listen,
  Select,
  type Session,
  type SessionMaker,
  Update,
  withLoaderCriteria,
} from "../../src/index.ts";
import { Owned, SoftDeletes } from "./criteria-story.ts";

// Two rules as programs write them, once for all of their sessions.

/** What was deleted softly is seen by nobody. */
export function hideDeleted(sessions: Session | SessionMaker): void {
  const present = withLoaderCriteria(SoftDeletes, (entity) => entity.deletedAt.isNull());
  listen(sessions, "doOrmExecute", (event) => {
    const { statement, isColumnLoad, isRelationshipLoad } = event;
    if (isColumnLoad || isRelationshipLoad) return;
    if (statement instanceof Select || statement instanceof Update || statement instanceof DeleteFrom)
      event.statement = statement.options(present);
  });
}

/** Each session sees the rows of the tenant that it is for, and no others. */
export function hideOtherTenants(sessions: Session | SessionMaker): void {
  listen(sessions, "doOrmExecute", (event) => {
    const { statement, isColumnLoad, isRelationshipLoad, session } = event;
    if (isColumnLoad || isRelationshipLoad) return;
    const tenant = String(session.info["tenant"]);
    const own = withLoaderCriteria(Owned, (entity) => entity.tenant.eq(tenant));
    if (statement instanceof Select || statement instanceof Update || statement instanceof DeleteFrom)
      event.statement = statement.options(own);
  });
}
