/**
 * Nominal types over primitives, for values that must not be swapped by accident.
 * A branded number is made by its own constructor (for example `toHeight`) and by nothing else.
 */
declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
