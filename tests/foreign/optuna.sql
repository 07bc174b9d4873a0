BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('v3.2.0.a');
CREATE TABLE studies (
	study_id INTEGER NOT NULL, 
	study_name VARCHAR(512) NOT NULL, 
	PRIMARY KEY (study_id)
);
INSERT INTO "studies" VALUES(1,'digits');
INSERT INTO "studies" VALUES(2,'loss');
INSERT INTO "studies" VALUES(3,'two');
INSERT INTO "studies" VALUES(4,'empty');
INSERT INTO "studies" VALUES(5,'stuck');
CREATE TABLE study_directions (
	study_direction_id INTEGER NOT NULL, 
	direction VARCHAR(8) NOT NULL, 
	study_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	PRIMARY KEY (study_direction_id), 
	UNIQUE (study_id, objective), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_directions" VALUES(1,'MAXIMIZE',1,0);
INSERT INTO "study_directions" VALUES(2,'MINIMIZE',2,0);
INSERT INTO "study_directions" VALUES(3,'MINIMIZE',3,0);
INSERT INTO "study_directions" VALUES(4,'MAXIMIZE',3,1);
INSERT INTO "study_directions" VALUES(5,'MINIMIZE',4,0);
INSERT INTO "study_directions" VALUES(6,'MINIMIZE',5,0);
CREATE TABLE study_system_attributes (
	study_system_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_system_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_system_attributes" VALUES(1,1,'study:metric_names','["val_accuracy"]');
CREATE TABLE study_user_attributes (
	study_user_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_user_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE TABLE trial_heartbeats (
	trial_heartbeat_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	heartbeat DATETIME NOT NULL, 
	PRIMARY KEY (trial_heartbeat_id), 
	UNIQUE (trial_id), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_intermediate_values (
	trial_intermediate_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	intermediate_value FLOAT, 
	intermediate_value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_intermediate_value_id), 
	UNIQUE (trial_id, step), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_intermediate_values" VALUES(1,1,0,0.307480663693133,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(2,1,1,0.614961327386266,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(3,1,2,0.922441991079399,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(4,2,0,2.74587178483660487859e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(5,2,1,0.549174356967321,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(6,2,2,8.2376153545098151909e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(7,3,0,1.91288466812602919731e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(8,3,1,3.82576933625205839462e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(9,3,2,5.73865400437808759193e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(10,6,0,2.69174188514020029661e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(11,6,1,5.38348377028040059322e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(12,6,2,0.80752256554206,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(13,7,0,2.69029557778781069909e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(14,7,1,5.38059115557562139819e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(15,8,0,2.33607034995865769921e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(16,8,1,4.67214069991731539843e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(17,9,0,2.99680635380908277909e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(18,9,1,5.99361270761816555818e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(19,9,2,8.99041906142724833728e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(20,10,0,2.98716704397134213966e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(21,10,1,5.97433408794268427932e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(22,10,2,8.96150113191402586387e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(23,11,0,2.07209317648643698284e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(24,11,1,4.14418635297287396568e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(25,12,0,2.85759595759244866552e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(26,12,1,5.71519191518489733105e-01,'FINITE');
CREATE TABLE trial_params (
	param_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	param_name VARCHAR(512), 
	param_value FLOAT, 
	distribution_json TEXT, 
	PRIMARY KEY (param_id), 
	UNIQUE (trial_id, param_name), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_params" VALUES(1,1,'lr',4.65680463791956554368e-04,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(2,1,'units',96.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 8, "low": 8, "high": 128}}');
INSERT INTO "trial_params" VALUES(3,1,'act',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", "tanh"]}}');
INSERT INTO "trial_params" VALUES(4,1,'bn',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [true, false]}}');
INSERT INTO "trial_params" VALUES(5,1,'dropout',1.11756126826602533719e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 0.6, "log": false}}');
INSERT INTO "trial_params" VALUES(6,2,'lr',2.41125370614757544678e-04,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(7,2,'units',56.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 8, "low": 8, "high": 128}}');
INSERT INTO "trial_params" VALUES(8,2,'act',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", "tanh"]}}');
INSERT INTO "trial_params" VALUES(9,2,'bn',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [true, false]}}');
INSERT INTO "trial_params" VALUES(10,2,'dropout',5.26870461834567205272e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 0.6, "log": false}}');
INSERT INTO "trial_params" VALUES(11,3,'lr',1.28691651078150220022e-05,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(12,3,'units',88.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 8, "low": 8, "high": 128}}');
INSERT INTO "trial_params" VALUES(13,3,'act',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", "tanh"]}}');
INSERT INTO "trial_params" VALUES(14,3,'bn',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [true, false]}}');
INSERT INTO "trial_params" VALUES(15,3,'dropout',0.480446741205322,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 0.6, "log": false}}');
INSERT INTO "trial_params" VALUES(16,4,'lr',0.0746528346269155,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(17,4,'units',48.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 8, "low": 8, "high": 128}}');
INSERT INTO "trial_params" VALUES(18,4,'act',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", "tanh"]}}');
INSERT INTO "trial_params" VALUES(19,4,'bn',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [true, false]}}');
INSERT INTO "trial_params" VALUES(20,4,'dropout',2.3432869939729417813e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 0.6, "log": false}}');
INSERT INTO "trial_params" VALUES(21,5,'lr',4.77883106585769851237e-05,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(22,5,'units',120.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 8, "low": 8, "high": 128}}');
INSERT INTO "trial_params" VALUES(23,5,'act',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", "tanh"]}}');
INSERT INTO "trial_params" VALUES(24,5,'bn',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [true, false]}}');
INSERT INTO "trial_params" VALUES(25,5,'dropout',0.415126268370284,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 0.6, "log": false}}');
INSERT INTO "trial_params" VALUES(26,6,'lr',1.82836342098445324812e-04,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(27,6,'units',88.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 8, "low": 8, "high": 128}}');
INSERT INTO "trial_params" VALUES(28,6,'act',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", "tanh"]}}');
INSERT INTO "trial_params" VALUES(29,6,'bn',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [true, false]}}');
INSERT INTO "trial_params" VALUES(30,6,'dropout',4.48899392627903626173e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 0.6, "log": false}}');
INSERT INTO "trial_params" VALUES(31,7,'lr',1.32365854694154870974e-04,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(32,7,'units',104.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 8, "low": 8, "high": 128}}');
INSERT INTO "trial_params" VALUES(33,7,'act',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", "tanh"]}}');
INSERT INTO "trial_params" VALUES(34,7,'bn',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [true, false]}}');
INSERT INTO "trial_params" VALUES(35,7,'dropout',1.72665203151809248938e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 0.6, "log": false}}');
INSERT INTO "trial_params" VALUES(36,8,'lr',3.31218273062551e-05,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(37,8,'units',8.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 8, "low": 8, "high": 128}}');
INSERT INTO "trial_params" VALUES(38,8,'act',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", "tanh"]}}');
INSERT INTO "trial_params" VALUES(39,8,'bn',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [true, false]}}');
INSERT INTO "trial_params" VALUES(40,8,'dropout',3.20175270702482278606e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 0.6, "log": false}}');
INSERT INTO "trial_params" VALUES(41,9,'lr',1.97911222735790886043e-03,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(42,9,'units',24.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 8, "low": 8, "high": 128}}');
INSERT INTO "trial_params" VALUES(43,9,'act',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", "tanh"]}}');
INSERT INTO "trial_params" VALUES(44,9,'bn',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [true, false]}}');
INSERT INTO "trial_params" VALUES(45,9,'dropout',4.16640094636647029258e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 0.6, "log": false}}');
INSERT INTO "trial_params" VALUES(46,10,'lr',4.53645991900938688398e-04,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(47,10,'units',8.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 8, "low": 8, "high": 128}}');
INSERT INTO "trial_params" VALUES(48,10,'act',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", "tanh"]}}');
INSERT INTO "trial_params" VALUES(49,10,'bn',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [true, false]}}');
INSERT INTO "trial_params" VALUES(50,10,'dropout',3.51933024301195718219e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 0.6, "log": false}}');
INSERT INTO "trial_params" VALUES(51,11,'lr',4.10778458807700627697e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(52,11,'units',24.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 8, "low": 8, "high": 128}}');
INSERT INTO "trial_params" VALUES(53,11,'act',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", "tanh"]}}');
INSERT INTO "trial_params" VALUES(54,11,'bn',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [true, false]}}');
INSERT INTO "trial_params" VALUES(55,11,'dropout',5.56505148237620317352e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 0.6, "log": false}}');
INSERT INTO "trial_params" VALUES(56,12,'lr',2.46072702528489495581e-04,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(57,12,'units',104.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 8, "low": 8, "high": 128}}');
INSERT INTO "trial_params" VALUES(58,12,'act',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", "tanh"]}}');
INSERT INTO "trial_params" VALUES(59,12,'bn',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [true, false]}}');
INSERT INTO "trial_params" VALUES(60,12,'dropout',2.09339005186705506833e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 0.6, "log": false}}');
INSERT INTO "trial_params" VALUES(61,13,'x',-1.28010195715992480813e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": -1.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(62,14,'x',-9.48147536344217334303e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": -1.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(63,15,'x',9.93249557574182873054e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": -1.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(64,16,'x',-1.29355214763446246806e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": -1.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(65,17,'x',-1.59264395825021942698e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": -1.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(66,18,'x',-3.39330357992251752108e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": -1.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(67,19,'x',5.11054675429866156477e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": -1.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(68,20,'x',4.38792216542831070569e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": -1.0, "high": 1.0, "log": false}}');
CREATE TABLE trial_system_attributes (
	trial_system_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_system_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_user_attributes (
	trial_user_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_user_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_values (
	trial_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	value FLOAT, 
	value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_value_id), 
	UNIQUE (trial_id, objective), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_values" VALUES(1,1,0,0.922441991079399,'FINITE');
INSERT INTO "trial_values" VALUES(2,2,0,8.2376153545098151909e-01,'FINITE');
INSERT INTO "trial_values" VALUES(3,3,0,5.73865400437808759193e-01,'FINITE');
INSERT INTO "trial_values" VALUES(4,6,0,0.80752256554206,'FINITE');
INSERT INTO "trial_values" VALUES(5,7,0,5.38059115557562139819e-01,'FINITE');
INSERT INTO "trial_values" VALUES(6,8,0,4.67214069991731539843e-01,'FINITE');
INSERT INTO "trial_values" VALUES(7,9,0,8.99041906142724833728e-01,'FINITE');
INSERT INTO "trial_values" VALUES(8,10,0,8.96150113191402586387e-01,'FINITE');
INSERT INTO "trial_values" VALUES(9,11,0,4.14418635297287396568e-01,'FINITE');
INSERT INTO "trial_values" VALUES(10,12,0,5.71519191518489733105e-01,'FINITE');
INSERT INTO "trial_values" VALUES(11,13,0,0.0163866102072467,'FINITE');
INSERT INTO "trial_values" VALUES(12,14,0,0.898983750675609,'FINITE');
INSERT INTO "trial_values" VALUES(13,15,0,0.0098654468362131,'FINITE');
INSERT INTO "trial_values" VALUES(14,16,0,1.67327715864973025627e-02,'FINITE');
INSERT INTO "trial_values" VALUES(15,17,0,2.53651477775092663857e-02,'FINITE');
INSERT INTO "trial_values" VALUES(16,18,0,1.15145091855149733772e-01,'FINITE');
INSERT INTO "trial_values" VALUES(17,19,0,5.11054675429866156477e-01,'FINITE');
INSERT INTO "trial_values" VALUES(18,19,1,1.0,'FINITE');
INSERT INTO "trial_values" VALUES(19,20,0,4.38792216542831070569e-01,'FINITE');
INSERT INTO "trial_values" VALUES(20,20,1,1.0,'FINITE');
CREATE TABLE trials (
	trial_id INTEGER NOT NULL, 
	number INTEGER, 
	study_id INTEGER, 
	state VARCHAR(8) NOT NULL, 
	datetime_start DATETIME, 
	datetime_complete DATETIME, 
	PRIMARY KEY (trial_id), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "trials" VALUES(1,0,1,'COMPLETE','2026-11-28 16:04:20.287132','2026-11-28 16:04:20.383773');
INSERT INTO "trials" VALUES(2,1,1,'COMPLETE','2026-11-28 16:04:20.394974','2026-11-28 16:04:20.449350');
INSERT INTO "trials" VALUES(3,2,1,'COMPLETE','2026-11-28 16:04:20.459038','2026-11-28 16:04:20.513386');
INSERT INTO "trials" VALUES(4,3,1,'FAIL','2026-11-28 16:04:20.529849','2026-11-28 16:04:20.566243');
INSERT INTO "trials" VALUES(5,4,1,'FAIL','2026-11-28 16:04:20.576250','2026-11-28 16:04:20.610273');
INSERT INTO "trials" VALUES(6,5,1,'COMPLETE','2026-11-28 16:04:20.620187','2026-11-28 16:04:20.687697');
INSERT INTO "trials" VALUES(7,6,1,'PRUNED','2026-11-28 16:04:20.701172','2026-11-28 16:04:20.776133');
INSERT INTO "trials" VALUES(8,7,1,'PRUNED','2026-11-28 16:04:20.787434','2026-11-28 16:04:20.838056');
INSERT INTO "trials" VALUES(9,8,1,'COMPLETE','2026-11-28 16:04:20.850655','2026-11-28 16:04:20.913530');
INSERT INTO "trials" VALUES(10,9,1,'COMPLETE','2026-11-28 16:04:20.928766','2026-11-28 16:04:21.018634');
INSERT INTO "trials" VALUES(11,10,1,'PRUNED','2026-11-28 16:04:21.034393','2026-11-28 16:04:21.096586');
INSERT INTO "trials" VALUES(12,11,1,'PRUNED','2026-11-28 16:04:21.219670','2026-11-28 16:04:21.285398');
INSERT INTO "trials" VALUES(13,0,2,'COMPLETE','2026-11-28 16:04:21.351049','2026-11-28 16:04:21.383775');
INSERT INTO "trials" VALUES(14,1,2,'COMPLETE','2026-11-28 16:04:21.409180','2026-11-28 16:04:21.428759');
INSERT INTO "trials" VALUES(15,2,2,'COMPLETE','2026-11-28 16:04:21.441979','2026-11-28 16:04:21.461012');
INSERT INTO "trials" VALUES(16,3,2,'COMPLETE','2026-11-28 16:04:21.471868','2026-11-28 16:04:21.489363');
INSERT INTO "trials" VALUES(17,4,2,'COMPLETE','2026-11-28 16:04:21.502314','2026-11-28 16:04:21.521791');
INSERT INTO "trials" VALUES(18,5,2,'COMPLETE','2026-11-28 16:04:21.534155','2026-11-28 16:04:21.554646');
INSERT INTO "trials" VALUES(19,0,3,'COMPLETE','2026-11-28 16:04:21.628331','2026-11-28 16:04:21.684466');
INSERT INTO "trials" VALUES(20,1,3,'COMPLETE','2026-11-28 16:04:21.698424','2026-11-28 16:04:21.729104');
INSERT INTO "trials" VALUES(21,0,5,'RUNNING','2026-11-28 16:04:21.862798',NULL);
CREATE TABLE version_info (
	version_info_id INTEGER NOT NULL, 
	schema_version INTEGER, 
	library_version VARCHAR(256), 
	PRIMARY KEY (version_info_id), 
	CHECK (version_info_id=1)
);
INSERT INTO "version_info" VALUES(1,12,'5.0.0');
CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);
CREATE INDEX ix_trials_study_id ON trials (study_id);
COMMIT;
