import { expect, test } from "vitest";
import { InstanceState } from "../instance/instance-state.ts";
import { stateOf } from "../instance/instance.ts";
import { integer } from "../mapping/column.ts";
import { Metadata } from "../mapping/metadata.ts";
import { mapperOfState } from "../mapping/mapper.ts";
import { model } from "../mapping/model.ts";
import type { Entry } from "./entry.ts";
import { StepGraph } from "./step-graph.ts";

class Node extends model("nodes", { id: integer().primaryKey() }, { metadata: new Metadata() }) {}

test("more rows than a call takes arguments stand in one layer", () => {
  const { instance, instrumentation } = stateOf(new Node());
  const mapper = mapperOfState(stateOf(instance));
  const graph = new StepGraph();
  const saves = graph.step("save", mapper);
  for (let count = 0; count < 150_000; count++)
    graph.row(saves, {
      state: new InstanceState(instance, instrumentation, [], undefined, undefined, true),
      mapper,
    } as Entry);
  expect([...graph.layers()].map(({ length }) => length)).toEqual([150_001]);
});
