DELETE FROM versions WHERE name = 'templates';
DROP TABLE template_versions;
DROP TABLE templates;
