import { expect, test } from "vitest";
import { type Attribute, type Condition, exists, select } from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { Folder, ids, openCriteriaStory, Person, sortedIds, Tag } from "./criteria-story.ts";

interface Nested {
  readonly children: Attribute<Folder, Folder[], "many">;
}

forEachDatabase((db) => {
  test("relationships of one name, one asked of inside of the other, are told apart", async () => {
    await using session = (await openCriteriaStory(db))();
    const by = (name: string) =>
      select(Tag).where((tag) =>
        tag.posts.any((post) =>
          exists(
            select(Person)
              .where({ name })
              .where((person) => person.posts.any((own) => own.id.eq(post.id))),
          ),
        ),
      );
    expect(sortedIds(await session.scalars(by("ann")))).toEqual([1, 2, 3]);
    expect(ids(await session.scalars(by("bob")))).toEqual([]);
  });

  test("relationships are asked of inside of each other at any depth", async () => {
    await using session = (await openCriteriaStory(db))();
    const depth = 12;
    for (let level = 0; level < depth; level++)
      session.add(new Folder({ id: 100 + level, parent_id: level === 0 ? null : 99 + level }));
    await session.flush();
    const above = (folder: Nested, levels: number): Condition =>
      folder.children.any((child) => (levels === 1 ? child.id.gt(0) : above(child, levels - 1)));
    for (const levels of [1, depth - 2, depth - 1, depth]) {
      const found = await session.scalars(select(Folder).where((folder) => above(folder, levels)));
      const tall = Array.from({ length: depth - levels }, (_, index) => 100 + index);
      expect(sortedIds(found).filter((id) => id >= 100)).toEqual(tall);
    }
  });
});
