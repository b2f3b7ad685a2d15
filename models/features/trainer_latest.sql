{{!-- one row per start: the trainer's latest runners, this one included; later days read it through trainer_days --}}
{{> person_latest person="trainer" finishes=(list 50 100)}}
