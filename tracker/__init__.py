"""Who has what, who should run what, and how it goes. Enters p2pd by its doors; never imports the seeder."""
