{{!-- one row per start: the jockey's latest rides, this one included; later days read it through jockey_days --}}
{{> person_latest person="jockey" finishes=(list 20 50)}}
