/**
 * What a relationship, or a column, is that is not in memory: `asked` of the database by `load()`, which is what reading tells the program to call; `empty`, for readers; `refused`,
 * so that `load()` refuses too; or `refusedWithSql`, so that it does where a statement would have to be sent.
 */
export type UnloadedAs = "asked" | "empty" | "refused" | "refusedWithSql";
