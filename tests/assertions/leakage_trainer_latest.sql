{{!-- the latest 50 and 100 finishes of every trainer are those of a self-join on earlier dates; every starter up to 3 million pairs, then a sample --}}
{{> check_person_latest person="trainer" shorter=50 longer=100}}
