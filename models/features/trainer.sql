{{!-- one row per starter: its trainer's record before the day of the race --}}
{{> person_record
    person="trainer"
    start="runner"
    finishes=(list 50 100)
    prior=(var "trainer_prior_runners")
    known_after=(var "new_trainer_runners")
}}
