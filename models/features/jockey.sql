{{!-- one row per starter: its jockey's record before the day of the race --}}
{{> person_record
    person="jockey"
    start="ride"
    finishes=(list 20 50)
    prior=(var "jockey_prior_rides")
    known_after=(var "new_jockey_rides")
}}
