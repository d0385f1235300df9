/**
 * What a relationship, or a column, is that is not in memory: `asked` of the database by `load()`, which is what reading tells the program to call; `empty`, for readers; `refused`,
 * so that `load()` refuses too; `refusedWithSql`, so that it does where a statement would have to be sent; or `never` in memory, whatever a statement says.
 */
export type UnloadedAs = "asked" | "empty" | "refused" | "refusedWithSql" | "never";
