import type { Mutant } from "../mutant.ts";
import { horseMutants } from "./horses.ts";
import { peopleMutants } from "./people.ts";
import { raceMutants } from "./races.ts";

export const mutants: readonly Mutant[] = [...peopleMutants, ...horseMutants, ...raceMutants];
