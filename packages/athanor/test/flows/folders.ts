import { integer, many, Metadata, model, one, text } from "../../src/index.ts";

export const metadata: Metadata = new Metadata();

/** A row that refers to its parent, so that parts may lead back to their whole. */
export class Folder extends model(
  "folders",
  {
    id: integer().primaryKey(),
    name: text().nullable(),
    parent_id: integer().nullable().references("folders.id"),
    get children() {
      return many(Folder, { backPopulates: "parent", cascade: "all", orderBy: "id" });
    },
    get parent() {
      return one(Folder, { backPopulates: "children" });
    },
    get notes() {
      return many(Note, { backPopulates: "folder", cascade: "all, delete-orphan", orderBy: "id" });
    },
  },
  { metadata },
) {}

/** A part that is nothing without its folder. */
export class Note extends model(
  "notes",
  {
    id: integer().primaryKey(),
    folder_id: integer().references("folders.id"),
    text: text().nullable(),
    get folder() {
      return one(Folder, { backPopulates: "notes" });
    },
    get marks() {
      return many(Mark, { cascade: "all" });
    },
  },
  { metadata },
) {}

/** A part of a part. */
export class Mark extends model(
  "marks",
  { id: integer().primaryKey(), note_id: integer().nullable().references("notes.id") },
  { metadata },
) {}
