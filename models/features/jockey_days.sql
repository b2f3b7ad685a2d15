{{!-- one row per jockey and day with a ride declared, and the next race day: the record before that day --}}
{{> person_days person="jockey" start="ride" finishes=(list 20 50)}}
