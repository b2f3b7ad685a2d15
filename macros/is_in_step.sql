-- True where two tables that are laid side by side hold the same row; false past the end of the first one, where the
-- second has rows of its own; anything else stops the query.
create or replace macro is_in_step(one, other, model) as
    case
        when one = other then true
        when one is null then false
        else error(
            'The model ' || model || ' is not in step: it must have one row per starter, and end with "order by runner_id".'
        )
    end;
