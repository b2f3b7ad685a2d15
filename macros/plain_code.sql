-- A code in capitals, words joined by underscores; not for codes that are written so already.
create or replace macro plain_code(code) as
    trim(
        regexp_replace(
            upper(
                case
                    when
                        code not in (
                            'FINISHED', 'SCRATCHED', 'LATE_SCRATCHED', 'DNF', 'FELL', 'PULLED_UP', 'UNSEATED', 'DSQ'
                        )
                        then code
                end
            ),
            '[^A-Z]+', '_', 'g'
        ),
        '_'
    );
