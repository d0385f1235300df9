/** The passwords that the people of the story sign up with. Nothing prints them. */
export const secret = {
  ada: "the-analytical-engine-1843",
  eve: "listening-to-everything",
  grace: "a-moth-in-relay-70",
  linus: "just-a-hobby-1991",
  max: "first-come-first-served",
} as const;
