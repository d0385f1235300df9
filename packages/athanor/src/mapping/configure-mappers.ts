import { emit } from "../event/dispatch.ts";
import { InvalidRequestError } from "../event/errors.ts";
import { eventTarget } from "../event/event-node.ts";
import { Instance, INSTRUMENTATION } from "../instance/instance.ts";
import type { InstrumentedClass } from "../instance/instrumentation.ts";
import { type Declaration, declarationOf } from "./declaration.ts";
import { isAlong } from "./lazy.ts";
import { knownMapper, Mapper, MAPPER } from "./mapper.ts";
import { listenForCascades, listenForInverse } from "./relationship-listeners.ts";
import { RelationshipProperty } from "./relationship-property.ts";

/**
 * The mapper of a model class, which is made when the class is first used.
 *
 * @throws InvalidRequestError for a class that no model() declared, or that extends a mapped class without inherit().
 */
export function mapperOf(target: InstrumentedClass): Mapper {
  const mapper = existing(target) ?? construct(target);
  if (!isConfiguring && unconfigured.length > 0) configureMappers();
  return mapper;
}

function existing(target: InstrumentedClass): Mapper | undefined {
  const mapper = knownMapper(target);
  if (mapper !== undefined && failures.size > 0 && failures.has(mapper)) throw failures.get(mapper);
  return mapper;
}

/** Makes the mappers of a class and of those that it inherits from. None is configured before all are there: a parent may refer to its own subclass. */
function construct(target: InstrumentedClass): Mapper {
  const declaration = declarationOf(target);
  if (declaration === undefined) {
    const name = typeof target === "function" ? target.name || "This class" : String(target);
    throw new InvalidRequestError(
      `${name} is not a model. A model is a class that extends model("table", { … }) or inherit(Parent, …).`,
    );
  }
  const mappedClass = directSubclass(declaration, target);
  if (mappedClass !== target || (declaration.mappedClass ?? target) !== target) {
    throw new InvalidRequestError(
      `${target.name} shares the declaration of ${(declaration.mappedClass ?? mappedClass).name}, and one declaration has one class. ` +
        `To map a subclass write class ${target.name} extends inherit(${(declaration.mappedClass ?? mappedClass).name}, { identity: "…" }, { … }).`,
    );
  }
  const { parentClass, concreteParent } = declaration;
  const above = parentClass === undefined ? undefined : (existing(parentClass) ?? construct(parentClass));
  declaration.mappedClass = target;
  const mapper = new Mapper(declaration, target, concreteParent === undefined ? above : undefined);
  Object.defineProperty(target, MAPPER, { value: mapper });
  Object.defineProperty(target, INSTRUMENTATION, { value: mapper.instrumentation });
  const { dispatch } = (target as typeof Instance)[eventTarget];
  emit(dispatch["instrumentClass"], { mapper, class: target });
  emit(dispatch["classInstrument"], { class: target });
  emit(dispatch["afterMapperConstructed"], { mapper, class: target });
  unconfigured.push(mapper);
  return mapper;
}

const unconfigured: Mapper[] = [];
let isConfiguring = false;

/** Why a mapper could not be configured: whoever uses its class again gets the same error, and no half-made class. */
const failures = new Map<Mapper, unknown>();

/** Resolves the relationships of new mappers. That may make further mappers, whose classes are at the other ends. */
function configureMappers(): void {
  const everywhere = Instance[eventTarget].dispatch;
  isConfiguring = true;
  try {
    emit(everywhere["beforeConfigured"], {});
    for (let mapper = unconfigured.shift(); mapper !== undefined; mapper = unconfigured.shift()) {
      try {
        configure(mapper);
      } catch (error) {
        failures.set(mapper, error);
        throw error;
      }
    }
    emit(everywhere["afterConfigured"], {});
  } finally {
    isConfiguring = false;
  }
}

function configure(mapper: Mapper): void {
  const target = mapper.class as unknown as typeof Instance;
  const { dispatch } = target[eventTarget];
  emit(dispatch["beforeMapperConfigured"], { mapper, class: target });
  const inherited = mapper.inherits?.relationships ?? [];
  const own = mapper.declaration.properties.flatMap(({ key, slot, relationship }) => {
    if (relationship === undefined || inherited.some((property) => property.key === key)) return [];
    const declared = relationship();
    return [new RelationshipProperty(mapper, mapperOf(declared.target as InstrumentedClass), key, slot, declared)];
  });
  mapper.relationships = [...own, ...inherited];
  mapper.loadedAlong.push(...inherited.filter(({ options }) => isAlong(options.lazy)));
  const ownAlong = own.filter(({ options }) => isAlong(options.lazy));
  for (let each = mapper.inherits; each !== undefined; each = each.inherits) each.subclasses.push(mapper);
  for (let each: Mapper | undefined = mapper; each !== undefined; each = each.inherits)
    each.loadedAlong.push(...ownAlong);
  // Cascades first: what comes to the other side is in the session by then.
  for (const property of own) if (!property.isViewOnly) listenForCascades(property);
  for (const property of own) connect(property);
  const { attributeInstrument } = dispatch;
  if (attributeInstrument !== undefined) {
    for (const { key } of mapper.instrumentation.attributes) emit(attributeInstrument, { class: target, key });
  }
  emit(dispatch["mapperConfigured"], { mapper, class: target });
}

/** Lets the two sides of a relationship follow each other. */
function connect(property: RelationshipProperty): void {
  if (property.cascade.has("delete-orphan")) property.target.wholes.push(property);
  const inverse = property.linkInverse();
  if (inverse === undefined || property.isViewOnly || inverse.isViewOnly) return;
  listenForInverse(property, inverse);
  listenForInverse(inverse, property);
}

/** The user's class of a declaration: the one right above the class that model() returned, or that class itself. */
function directSubclass(declaration: Declaration, target: InstrumentedClass): InstrumentedClass {
  let current = target as object;
  if (current === declaration.base) return target;
  while (Object.getPrototypeOf(current) !== declaration.base) {
    const next = Object.getPrototypeOf(current) as object | null;
    if (next === null) throw new InvalidRequestError(`${target.name} does not extend ${declaration.label}.`);
    current = next;
  }
  return current as InstrumentedClass;
}
