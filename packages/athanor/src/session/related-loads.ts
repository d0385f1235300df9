import { InvalidRequestError } from "../event/errors.ts";
import type { AfterLoads, RelatedLoads } from "../loading/after-loads.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { Dispatcher, Execution } from "./execute.ts";
import type { SessionState } from "./session-state.ts";

/** What the loads that follow a statement may do in its session. */
export function relatedLoads(
  core: SessionState,
  dispatch: Dispatcher,
  afterLoads: AfterLoads,
  { parameters, fetch, carried }: Execution,
  populateExisting: boolean,
): RelatedLoads {
  return {
    populateExisting,
    find: async (statement, parents) => {
      if (fetch !== undefined && parents !== undefined) throw loadsForAll(parents);
      const result = await dispatch(core, {
        statement,
        // The values of its bindparams, with the statement that has them.
        parameters: parents === undefined ? undefined : parameters,
        options: {},
        isRelationshipLoad: true,
        carried,
        parents: parents && [parents],
        afterLoads,
      });
      return result.all() as never;
    },
    complete: async (statement) => {
      await dispatch(core, { statement, parameters: undefined, options: {}, isCompletion: true, carried, afterLoads });
    },
    loadOne: (state, property, plan) => core.loadRelated(state, property, plan, "visible", afterLoads),
  };
}

/** It would be asked again with each portion. */
function loadsForAll({ class: { name } }: Mapper): InvalidRequestError {
  return new InvalidRequestError(
    `A relationship of ${name} is loaded by subqueryLoad(), which asks for what is related to everything that the statement finds, and a stream has it portion by portion. ` +
      `Load it with selectinLoad().`,
  );
}
