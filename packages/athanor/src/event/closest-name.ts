/**
 * Finds the name that was probably meant: `closestName("beforeInsrt", names)` is `"beforeInsert"`. Upper case and underscores do not count, so that
 * `before_insert` finds it too. Answers undefined when nothing is near enough to be suggested.
 */
export function closestName(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = withoutSpelling(name);
  let closest: string | undefined;
  let smallest = Infinity;
  for (const candidate of candidates) {
    const compared = withoutSpelling(candidate);
    const distance = editDistance(wanted, compared);
    // One mistake in three letters: "set" is not a misspelt "init".
    if (distance < smallest && distance <= Math.max(wanted.length, compared.length) / 3) {
      closest = candidate;
      smallest = distance;
    }
  }
  return closest;
}

/** The sentence for an error message, with a space before it: ` Did you mean "beforeInsert"?`, or nothing. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const closest = closestName(name, candidates);
  return closest === undefined ? "" : ` Did you mean "${closest}"?`;
}

function withoutSpelling(name: string): string {
  return name.replaceAll("_", "").toLowerCase();
}

/** How many letters must be added, left out, replaced or swapped with their neighbour to get from one word to the other. */
function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(previous[column]! + 1, current[column - 1]! + 1, previous[column - 1]! + (same ? 0 : 1));
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        cost = Math.min(cost, beforePrevious[column - 2]! + 1);
      }
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[to.length]!;
}
