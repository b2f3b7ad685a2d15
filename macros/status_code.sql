-- One code for what became of a runner; a code that is not known stays as it is, in capitals.
create or replace macro status_code(status) as
    case regexp_replace(upper(trim(status)), '[^A-Z]+', '_', 'g')
        when '' then null
        when 'NULL' then null
        when 'SCRATCHED' then 'SCRATCHED'
        when 'LATE_SCRATCHED' then 'LATE_SCRATCHED'
        when 'FINISHED' then 'FINISHED'
        when 'FIN' then 'FINISHED'
        when 'DNF' then 'DNF'
        when 'DID_NOT_FINISH' then 'DNF'
        when 'FELL' then 'FELL'
        when 'PULLED_UP' then 'PULLED_UP'
        when 'PU' then 'PULLED_UP'
        when 'UNSEATED' then 'UNSEATED'
        when 'UNSEATED_RIDER' then 'UNSEATED'
        when 'UR' then 'UNSEATED'
        when 'DSQ' then 'DSQ'
        when 'DISQ' then 'DSQ'
        when 'DQ' then 'DSQ'
        when 'DISQUALIFIED' then 'DSQ'
        else regexp_replace(upper(trim(status)), '[^A-Z]+', '_', 'g')
    end;
