-- True where two tables that are laid side by side hold the same row; anything else stops the query.
create or replace macro is_in_step(one, other, model) as
    case
        when one = other then true
        else error(
            'The model ' || model || ' is not in step: it must have one row per starter, and end with "order by runner_id".'
        )
    end;
