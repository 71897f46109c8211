/**
 * Apart: calls that V8 leaves where they are. What it inlines into a loop is counted, 920 bytes of bytecode in all, and of what seldom happens it
 * knows no more than that it did happen: one native call of 64 took so much of it that the short way was not inlined any more.
 * Room: handles (5).
 */

// oxlint-disable oxc/only-used-in-recursion -- that is how it works
/** `call(a, b, c)`, never inlined where this is: no function is inlined into itself. `now` is for this function alone. */
export const apart = <A, B, C, Result>(call: (a: A, b: B, c: C) => Result, a: A, b: B, c: C, now?: (a: A, b: B, c: C) => Result): Result =>
  now === undefined ? apart(call, a, b, c, call) : now(a, b, c);
