/** The source of a function without parameters, as it stands in its file: its body, without the indentation of the place where it stands. */
export function sourceOf(work: () => unknown): string[] {
  const body = work.toString().replace(/^(async )?\(\) =>\s*/, "");
  const [first = "", ...rest] = body.split("\n");
  const indentation = Math.min(...rest.filter((line) => line.trim() !== "").map((line) => line.search(/\S/)));
  return [first, ...rest.map((line) => line.slice(indentation))];
}
