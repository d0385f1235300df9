import type { ContenderName } from "./contender.ts";
import type { Report, WorkloadReport } from "./run.ts";
import { workloadNames, workloads } from "./workloads.ts";

const labels: Readonly<Record<ContenderName, string>> = {
  raw: "raw node:sqlite, objects",
  rawArrays: "raw node:sqlite, row arrays",
  athanor: "Athanor",
  athanorListeners: "Athanor, 3 listeners",
  mikroorm: "MikroORM 7.2.2",
};

/** One JSON document, its numbers rounded to what they are worth. */
export function renderJson(report: Report): string {
  return JSON.stringify(report, (_, value: unknown) => (typeof value === "number" ? round(value) : value), 2);
}

/** A table for people, with the targets below it. */
export function renderTable({ machine, rounds, workloads: reports, targets }: Report): string {
  const lines = [
    `Node ${machine.node}, ${machine.platform}, ${machine.cpuCount} × ${machine.cpu}; ${rounds.timed} rounds after ${rounds.warmup} to warm up.`,
    ...(machine.loadAverage > machine.cpuCount
      ? [
          `The machine was busy (load ${machine.loadAverage.toFixed(1)}), so the times vary; the minima come nearest to the truth.`,
        ]
      : []),
    `ratio: the median of each round's time against the raw driver's in the same round.`,
    "",
    row("", "median ms", "min ms", "ratio", "of medians"),
  ];
  for (const name of workloadNames) {
    const report = reports[name];
    if (report !== undefined) lines.push(workloads[name].title, ...contenderRows(report), "");
  }
  lines.push(row("target", "at most", "", "ratio", ""));
  for (const { name, target, ratio, met } of targets)
    lines.push(row(`  ${name}`, target.toString(), "", ratio.toFixed(2), met ? "met" : "MISSED"));
  return lines.join("\n");
}

function contenderRows(report: WorkloadReport): string[] {
  return Object.entries(report).map(([name, { medianMs, minMs, ratio, ratioOfMedians }]) =>
    row(
      `  ${labels[name as ContenderName]}`,
      medianMs.toFixed(1),
      minMs.toFixed(1),
      ratio.toFixed(2),
      ratioOfMedians.toFixed(2),
    ),
  );
}

function row(title: string, ...cells: readonly string[]): string {
  return `${title.padEnd(40)}${cells.map((cell) => cell.padStart(11)).join("")}`.trimEnd();
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
