import { isOrmStatement, listen, type Session, type SessionMaker, withLoaderCriteria } from "../../src/index.ts";
import { Owned, SoftDeletes } from "./criteria-story.ts";

// Two rules as programs write them, once for all of their sessions.

/** What was deleted softly is seen by nobody. */
export function hideDeleted(sessions: Session | SessionMaker): void {
  const present = withLoaderCriteria(SoftDeletes, (entity) => entity.deletedAt.isNull());
  listen(sessions, "doOrmExecute", (event) => {
    if (event.isColumnLoad || event.isRelationshipLoad || !isOrmStatement(event.statement)) return;
    event.statement = event.statement.options(present);
  });
}

/** Each session sees the rows of the tenant that it is for, and no others. */
export function hideOtherTenants(sessions: Session | SessionMaker): void {
  listen(sessions, "doOrmExecute", (event) => {
    if (event.isColumnLoad || event.isRelationshipLoad || !isOrmStatement(event.statement)) return;
    const tenant = String(event.session.info["tenant"]);
    event.statement = event.statement.options(withLoaderCriteria(Owned, (entity) => entity.tenant.eq(tenant)));
  });
}
