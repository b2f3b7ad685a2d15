{{!-- the latest 20 and 50 finishes of every jockey are those of a self-join on earlier dates; every starter up to 3 million pairs, then a sample --}}
{{> check_person_latest person="jockey" shorter=20 longer=50}}
