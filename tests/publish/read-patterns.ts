import { setTimeout as sleep } from "node:timers/promises";
import { type PostgresClient, withClient } from "../../runner/postgres/connect.ts";

/** Where a reader finds what it reads. */
export interface Place {
    readonly name: "published" | "control";
    readonly starts: string;
    readonly form: string;
    readonly currentForm: string;
    readonly latestStarts: string;
}

export const published: Place = {
    name: "published",
    starts: "public.starts",
    form: "serving.form",
    currentForm: "public.current_form",
    latestStarts: "public.latest_starts",
};

/**
 * A copy that nobody publishes: who reads it waits for a core, the disk and the driver, as everybody does, and for no
 * swap.
 */
export const control: Place = {
    name: "control",
    starts: "control.starts",
    form: "control.form",
    currentForm: "control.current_form",
    latestStarts: "control.latest_starts",
};

export async function makeControl(url: string): Promise<void> {
    const copies = (["starts", "form", "currentForm", "latestStarts"] as const).map(
        (key) => `create table ${control[key]} (like ${published[key]} including indexes);
            insert into ${control[key]} table ${published[key]}; analyze ${control[key]};`,
    );
    await withClient({ url }, (client) => client.query(`create schema control; ${copies.join("")}`));
}

export type Read = (client: PostgresClient, place: Place) => Promise<Record<string, unknown>>;

/** One name a way of reading that applications use; each answers with generations that must all be the same. */
export const patterns: Readonly<Record<string, Read>> = {
    plain: (client, place) => first(client, everywhere(place)),
    // A view before its table: the other way round than a swap takes its locks.
    joined: (client, { starts, currentForm, latestStarts }) =>
        first(
            client,
            `select count(*)::int as rows, max(starts.generation) as starts, min(latest.form_generation) as latest_form,
                    max(current_form.generation) as current_form
             from ${latestStarts} as latest join ${starts} using (horse) join ${currentForm} using (horse)`,
        ),
    views: (client, { latestStarts }) =>
        first(
            client,
            `select count(*)::int as rows, min(generation) as latest, max(form_generation) as latest_form from ${latestStarts}`,
        ),
    prepared: (client, { name }) => first(client, `execute everywhere_${name}`),
    repeatable: async (client, place) => {
        await client.query("begin isolation level repeatable read; select 1");
        await sleep(Math.random() * 100);
        const found = await first(client, everywhere(place));
        await client.query("commit");
        return found;
    },
};

export async function prepareReads(client: PostgresClient, place: Place): Promise<void> {
    await client.query(`prepare everywhere_${place.name} as ${everywhere(place)}`);
}

/** Generations of everything published in one statement, so that a mixture shows. */
function everywhere({ starts, form, currentForm, latestStarts }: Place): string {
    return `select
        (select count(*)::int from ${starts}) as rows,
        (select min(generation) from ${starts}) as starts,
        (select max(generation) from ${starts}) as latest_start,
        (select max(generation) from ${form}) as form,
        (select max(generation) from ${currentForm}) as current_form,
        (select max(generation) from ${latestStarts}) as latest,
        (select max(form_generation) from ${latestStarts}) as latest_form`;
}

async function first(client: PostgresClient, sql: string): Promise<Record<string, unknown>> {
    return (await client.query(sql)).rows[0]!;
}
