"""Who is there for what work: stations and their queues, skills, and what another team would bring."""
