-- HTML entities as scraped names carry them; the ampersand last, so that &amp;#39; is decoded once.
create or replace macro decode_entities(name) as
    case
        when contains(name, '&') then
            replace(replace(
                regexp_replace(
                    regexp_replace(
                        regexp_replace(name, '&(#0*39|#[xX]0*27|apos|rsquo|lsquo|#8217|#8216);', '''', 'g'),
                        '&(quot|#0*34|ldquo|rdquo);', '"', 'g'
                    ),
                    '&(nbsp|#0*160);', ' ', 'g'
                ),
                '&#38;', '&'), '&amp;', '&')
        else name
    end;
