import { Mapper } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import type { StepKind } from "./dependencies/dependency.ts";
import type { Entry } from "./entry.ts";

/** One step of a flush: the saves or deletes of a hierarchy, or what a relationship writes between them. */
export class Step {
  readonly kind: StepKind;
  readonly subject: Mapper | RelationshipProperty;
  readonly entries: Entry[];
  /** It stands for a single row of a hierarchy that was taken apart. */
  readonly isRow: boolean;

  constructor(kind: StepKind, subject: Mapper | RelationshipProperty, entries: Entry[], isRow = false) {
    this.kind = kind;
    this.subject = subject;
    this.entries = entries;
    this.isRow = isRow;
  }

  /** Steps that have nothing to do with each other go by this: every run is the same. */
  get sortKey(): string {
    return `${sortNames[this.kind]} ${this.subject instanceof Mapper ? this.subject.class.name : this.subject.label}`;
  }
}

const sortNames: Record<StepKind, string> = {
  delete: "1",
  preUpdate: "2",
  postUpdate: "2",
  beforeDelete: "3",
  afterSave: "3",
  save: "4",
};
