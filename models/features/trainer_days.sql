{{!-- one row per trainer and day with a runner declared, and the next race day: the record before that day --}}
{{> person_days person="trainer" start="runner" finishes=(list 50 100)}}
