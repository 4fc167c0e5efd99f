"""DynamoDB: streams that are switched off and on, encryption and class of a table, which moto doesn't change."""
