/** Freezes plain data all the way down, in place. */
export function deepFreeze<Data>(data: Data): Data {
    if (typeof data === "object" && data !== null && !Object.isFrozen(data)) {
        Object.freeze(data);
        for (const value of Object.values(data)) deepFreeze(value);
    }
    return data;
}
