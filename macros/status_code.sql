-- One code for what became of a runner; a code that is not known stays as it is, in capitals.
create or replace macro status_code(status) as
    case
        when status in ('FINISHED', 'SCRATCHED', 'LATE_SCRATCHED', 'DNF', 'FELL', 'PULLED_UP', 'UNSEATED', 'DSQ')
            then status
        else coalesce(
            map {
                'FIN': 'FINISHED',
                'DID_NOT_FINISH': 'DNF',
                'PU': 'PULLED_UP',
                'UNSEATED_RIDER': 'UNSEATED',
                'UR': 'UNSEATED',
                'DISQ': 'DSQ',
                'DQ': 'DSQ',
                'DISQUALIFIED': 'DSQ'
            }[plain_code(status)],
            nullif(nullif(plain_code(status), ''), 'NULL')
        )
    end;
