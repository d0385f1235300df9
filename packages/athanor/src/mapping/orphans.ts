import type { InstanceState } from "../instance/instance-state.ts";
import { hasParent } from "../instance/parentage.ts";
import { type Mapper, mapperOfState } from "./mapper.ts";

/** Whether an instance is a part without its whole, by a relationship with delete-orphan. */
export function isOrphan(state: InstanceState): boolean {
  for (let mapper: Mapper | undefined = mapperOfState(state); mapper !== undefined; mapper = mapper.inherits) {
    for (const { parentage } of mapper.wholes) if (parentage !== undefined && !hasParent(state, parentage)) return true;
  }
  return false;
}
