import type { JoinNode, OperationNode } from "kysely";
import { EagerJoin } from "./eager-join.ts";
import type { Structure } from "./structure.ts";
import { structureWithout } from "./structure-without.ts";

/** Related rows that are read from a join which the statement has anyway. A limit counts its rows, and the statement says how they are ordered. */
export class GivenJoin extends EagerJoin {
  override readonly isGiven: boolean = true;

  override structure(into: Structure): void {
    into.add(` contains ${this.alias.name}`);
    if (this.without !== undefined) structureWithout(this.without, into);
  }

  override joinNodes(): readonly JoinNode[] {
    return [];
  }

  override orderNodes(): readonly OperationNode[] {
    return [];
  }
}
