-- Two counts in one double, for windows: one sum in place of two. 26 bits each, so that 67 million starts add up exactly.
create or replace macro starts_and_wins(starts, wins) as
    starts + 67108864 * wins::double;
