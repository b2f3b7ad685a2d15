import { AsyncLocalStorage } from "node:async_hooks";

const mornings = new AsyncLocalStorage<number>();
const RealDate = Date;
const now = () => mornings.getStore() ?? RealDate.now();

/** Tells the morning where work is done at one, and the time everywhere else. */
const MorningDate = new Proxy(RealDate, {
    construct: (date, given, created) =>
        Reflect.construct(date, given.length === 0 ? [now()] : given, created),
    apply: (date) => new date(now()).toString(),
    get: (date, name) => (name === "now" ? now : Reflect.get(date, name)),
});

let working = 0;

/**
 * Does work for which it is the morning of a day (ISO, UTC): what it and the modules it imports ask of `Date` is then
 * another value than in the full build. Timers, and everything beside the work, keep the time.
 */
export async function atMorningOf<T>(day: string, work: () => Promise<T>): Promise<T> {
    const morning = RealDate.parse(`${day}T06:00:00Z`);
    working++;
    globalThis.Date = MorningDate;
    try {
        return await mornings.run(morning, work);
    } finally {
        if (--working === 0) globalThis.Date = RealDate;
    }
}
