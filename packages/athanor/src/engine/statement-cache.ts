/** What a {@link StatementCache} needs of its entries. */
export interface CachedStatement {
  /** Set by whoever uses the statement; cleared when the cache looks for one to let go. */
  used: boolean;
}

/**
 * Keeps prepared statements by their SQL text, up to a number of them. When it is full, it lets go of the oldest one that was not used since the cache
 * last looked: a hit so costs one look-up and nothing else.
 */
export class StatementCache<TStatement extends CachedStatement> {
  readonly #statements = new Map<string, TStatement>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(sql: string): TStatement | undefined {
    return this.#statements.get(sql);
  }

  /** Adds a statement, and answers with the one that had to go for it. */
  add(sql: string, statement: TStatement): TStatement | undefined {
    const evicted = this.#statements.size >= this.#capacity ? this.#evict() : undefined;
    this.#statements.set(sql, statement);
    return evicted;
  }

  clear(): void {
    this.#statements.clear();
  }

  #evict(): TStatement | undefined {
    for (const [sql, statement] of this.#statements) {
      this.#statements.delete(sql);
      if (!statement.used) return statement;
      statement.used = false;
      // Behind the others, which the loop reaches first; the second time round it is unused.
      this.#statements.set(sql, statement);
    }
    return undefined;
  }
}
