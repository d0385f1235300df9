import { expectState } from "../instance/instance.ts";
import type { Instance } from "../mapping/model-types.ts";
import type { Session } from "./session.ts";
import { SessionState } from "./session-state.ts";

/** The session that an instance belongs to, or null. SQLAlchemy: Session API, `object_session`. */
export function objectSession(instance: Instance): Session | null {
  const { owner } = expectState(instance);
  return owner instanceof SessionState ? owner.session : null;
}
