-- Where in the gate a runner starts; a gate beyond the field (others were scratched) is outer.
create or replace macro barrier_position(barrier, total_runners) as
    case
        when total_runners > 1 then
            case
                when 3 * (barrier::integer - 1) <= total_runners::integer - 1 then 'inner'
                when 3 * (barrier::integer - 1) <= 2 * (total_runners::integer - 1) then 'middle'
                when barrier is not null then 'outer'
            end
    end;
