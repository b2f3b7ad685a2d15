-- Whether a pair that has raced together often enough wins often enough; the counts decide, without rounding.
create or replace macro is_strong_connection(wins, races, least_races, above_win_rate) as
    races >= least_races and wins > above_win_rate * races;
