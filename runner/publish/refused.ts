/** An SQLSTATE of our own: the swap must not happen, now or later. */
export const refusedState = "RB001";
